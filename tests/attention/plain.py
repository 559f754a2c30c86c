"""The equations of the mechanisms, one number at a time, for one clip without padding: what their tests compare with.

Each function takes the module and the clip as nested lists, and returns what the module returns.
"""

import math

from sertut.attention.alignment import N_LAGS, SHARPNESS


def dot(a, b):
    return sum(v * w for v, w in zip(a, b, strict=True))


def plus(a, b):
    return [v + w for v, w in zip(a, b, strict=True)]


def linear(layer, row):
    products = [dot(W, row) for W in layer.weight.tolist()]
    return products if layer.bias is None else plus(products, layer.bias.tolist())


def tanh(row):
    return [math.tanh(v) for v in row]


def sigma(v):
    return 1 / (1 + math.exp(-v))


def softmax(scores):
    total = sum(math.exp(e) for e in scores)
    return [math.exp(e) / total for e in scores]


def mixed(weights, rows):
    """The sum of the rows, each times its weight."""
    return [dot(weights, column) for column in zip(*rows, strict=True)]


def mean(rows):
    return mixed([1 / len(rows)] * len(rows), rows)


def soft_attention(module, h):
    alpha = softmax([linear(module.score, tanh(linear(module.project, row)))[0] for row in h])
    return mixed(alpha, h), alpha


def mixture(module, h):
    _, alpha = soft_attention(module.attend, h)
    p = mixed(alpha, [softmax(linear(module.classify, row)) for row in h])
    return [math.log(share) for share in p], alpha


def cells(module, a):
    """a: C channels of F' rows of T' columns."""
    n_rows, n_columns = len(a[0]), len(a[0][0])
    seen = [[channel[f][t] for channel in a] for t in range(n_columns) for f in range(n_rows)]
    alpha = softmax([module.scale * linear(module.score, tanh(linear(module.project, cell)))[0] for cell in seen])
    return mixed(alpha, seen), [alpha[t * n_rows : (t + 1) * n_rows] for t in range(n_columns)]


def perception(module, s):
    """Of an embedding for each emotion, or of one for all."""
    embeddings, logits, weights = module.embeddings.tolist(), [], []
    for k in range(module.n_classes):
        asked = linear(module.emotion, embeddings[k % len(embeddings)])
        beta = softmax([linear(module.score, tanh(plus(linear(module.state, row), asked)))[0] for row in s])
        context = mixed(beta, s)
        if module.spread:
            squares = mixed(beta, [[v * v for v in row] for row in s])
            context += [math.sqrt(max(v2 - v * v, 1e-5)) for v2, v in zip(squares, context, strict=True)]
        weights.append(beta)
        logits.append(dot(module.evidence.weight[k].tolist(), context) + module.evidence.bias[k].item())
    return logits, weights


def alignment(module, query, keys, lags):
    """Here the lags are few steps of 40 ms, all within reach."""
    asking, asked = [linear(module.query, v) for v in query], [linear(module.key, f) for f in keys]
    if module.weigh is not None:
        scores = [[linear(module.weigh, tanh(plus(v, f)))[0] for f in asked] for v in asking]
    else:
        asking, asked = (
            [[v - m for v, m in zip(row, mean(rows), strict=True)] for row in rows] for rows in (asking, asked)
        )
        scores = [[dot(v, f) / math.sqrt(len(v)) for f in asked] for v in asking]
    if module.one_lag:
        steps = [[round(lag / 0.04) for lag in row] for row in lags]
        level = sum(map(sum, scores)) / (len(query) * len(keys))
        r = {d: 0.0 for row in steps for d in row}
        for row, lags_of_row in zip(scores, steps, strict=True):
            for e, d in zip(row, lags_of_row, strict=True):
                r[d] += SHARPNESS * (e - level) / len(query)
        total = sum(math.exp(value) for value in r.values()) + (N_LAGS - len(r)) * math.exp(0.0)
        scores = [
            [e + r[d] - math.log(total) for e, d in zip(*pair, strict=True)] for pair in zip(scores, steps, strict=True)
        ]
    weights = [softmax(row) for row in scores]
    return [mixed(row, keys) for row in weights], weights


def head_gate(module, heads):
    s = [math.sqrt(sum(v * v for row in head for v in row) / (len(head) * len(head[0]))) for head in heads]
    return ([sigma(e) for e in linear(module.excite, [max(0.0, v) for v in linear(module.squeeze, s)])],)


def multi_head(module, x, level):
    n, H = len(x), module.n_heads
    d = len(x[0]) // H
    Q, K, V = ([linear(layer, row) for row in x] for layer in (module.query, module.key, module.value))
    weights, heads = [], []
    for h in range(H):
        own = slice(h * d, (h + 1) * d)
        weights.append([])
        for q in Q:
            scores = [dot(q[own], k[own]) / math.sqrt(d) for k in K]
            if module.focus is not None:
                F = tanh(plus(linear(module.focus.local, q), linear(module.focus.overall, mean(Q))))[own]
                Z = n * sigma(dot(F, module.focus.to_width[h].tolist())) + 1
                if module.focus.center == "learned":
                    P = n * sigma(dot(F, module.focus.to_center[h].tolist()))
                else:
                    P = max(range(n), key=lambda j: level[j])
                scores = [e - 2 * (j - P) ** 2 / Z**2 for j, e in enumerate(scores)]
            weights[h].append(softmax(scores))
        heads.append([mixed(A, [v[own] for v in V]) for A in weights[h]])
    gates = [] if module.gate is None else head_gate(module.gate, heads)
    worth = gates[0] if gates else [1.0] * H
    joined = [[w * v for w, head in zip(worth, heads, strict=True) for v in head[i]] for i in range(n)]
    return [linear(module.join, row) for row in joined], weights, *gates

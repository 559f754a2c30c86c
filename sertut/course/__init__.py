"""Running the chapters, building the book, checking an installation and the reader's answers."""

from sertut.course import questions  # fills JUDGES
from sertut.course.exercises import check

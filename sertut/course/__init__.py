"""Running the chapters, building the book, checking an installation."""

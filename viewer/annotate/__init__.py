"""What a reader changes about a case: masks, edits, the document, its journal."""

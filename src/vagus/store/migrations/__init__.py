"""The history of the schema: a revision a file, in order of their numbers, each undone only by restoring a backup."""

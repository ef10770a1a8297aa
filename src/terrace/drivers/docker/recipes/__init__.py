"""Base images that Terrace builds from the machine's own package sources, so that no registry is needed."""

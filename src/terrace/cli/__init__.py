"""The command line: it speaks HTTP through terrace.client, and starts at once because heavy imports come
late."""

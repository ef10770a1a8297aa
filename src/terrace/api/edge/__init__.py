"""The edge: how strangers reach the server, and what stands around every request."""

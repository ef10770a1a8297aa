"""What the edge of the server needs: ports of what stands around requests."""

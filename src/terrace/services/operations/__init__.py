"""Operations on a stack that change nothing of its template: orders, looks, adoption, and keeping it safe."""

"""How a model is reached: pydantic-ai behind one streaming function, and its errors as sentences."""

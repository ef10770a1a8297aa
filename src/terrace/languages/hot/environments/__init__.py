"""Environments: values of parameters, what types stand for, and what holds a resource."""

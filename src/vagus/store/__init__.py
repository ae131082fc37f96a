"""Durable data: the contract of the store."""

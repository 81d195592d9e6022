"""The Client in its two forms: in this process, and through a service."""

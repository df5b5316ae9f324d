"""A deployment as seen from outside: its runs, uploads, approvals and endpoints."""

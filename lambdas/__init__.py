"""The functions, one file each, in the order data meets them."""

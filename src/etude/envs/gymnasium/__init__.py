"""Any environment that Gymnasium knows by name."""

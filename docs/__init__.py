"""Pictures for the README and the script that makes them."""

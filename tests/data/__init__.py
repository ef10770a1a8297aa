"""What tests are given that is not made by them."""

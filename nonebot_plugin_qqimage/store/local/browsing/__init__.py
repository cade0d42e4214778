"""Questions of those who browse: pages of images, figures over time, and who may look at them."""

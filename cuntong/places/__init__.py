"""The five places whose notices this system was made for, each as a county that can be played and proved."""

"""Put the house together and keep it running."""

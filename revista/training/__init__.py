"""Training the small models that travel with the repository; its commands are `revista train ...`."""

"""Running a deployment: one supervisor, its children, their certificates and their health."""

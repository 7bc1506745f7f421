"""What the doctor looks for: each rule sees every sample once and then tells its problems."""

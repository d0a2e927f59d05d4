"""The bodies of known arms as plain numbers: what kinematics computes with and simulation moves."""

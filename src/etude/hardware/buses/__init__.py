"""The wires that motors hang on, a folder for each family; what they share lies beside the folders."""

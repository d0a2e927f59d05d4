import torch

# Tests run side by side; several threads each would only wait for one another.
torch.set_num_threads(1)

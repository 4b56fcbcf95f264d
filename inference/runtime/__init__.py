"""Where the model runs: load, prepare, lungs, nets, decode. With training, torch's only room."""

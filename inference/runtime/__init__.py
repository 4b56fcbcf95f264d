"""Where the model runs: load, prepare, lungs, nets, decode. The only room with torch beside training."""

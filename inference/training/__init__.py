"""From outlined nodules to a model pack: data, augmentation, fit, evaluation."""

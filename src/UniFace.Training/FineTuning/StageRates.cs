namespace UniFace.Training.FineTuning;

/// <summary>Applies frozen stages and the learning rates of stages to a backbone.</summary>
internal static class StageRates
{
    /// <summary>Freezes stages and the statistics of all batch norms.</summary>
    /// <returns>The share of the run's learning rate for each parameter that learns.</returns>
    /// <exception cref="UniFaceException">There are not more stages than are to be frozen.</exception>
    public static IReadOnlyDictionary<Parameter, double> Apply(Backbone backbone, FineTuneOptions options)
    {
        if (backbone is not LayeredBackbone layered)
        {
            throw new UniFaceException($"backbone {backbone.Spec.Name} cannot be fine-tuned: it is not a chain of layers.");
        }

        IReadOnlyList<IReadOnlyList<Layer>> stages = layered.Stages();
        if (options.FrozenStages >= stages.Count)
        {
            throw new UniFaceException(
                $"{options.FrozenStages} frozen stages leave nothing to train: backbone {backbone.Spec.Name} has {stages.Count} stages; " +
                $"freeze at most {stages.Count - 1}.");
        }

        Dictionary<Parameter, double> rates = [];
        for (int stage = 0; stage < stages.Count; stage++)
        {
            double rate = options.BackboneRate * Math.Pow(options.StageDecay, stages.Count - 1 - stage);
            foreach (Parameter parameter in stages[stage].SelectMany(layer => layer.parameters()))
            {
                parameter.requires_grad = stage >= options.FrozenStages;
                rates[parameter] = rate;
            }
        }

        foreach (Backbones.BatchNorm norm in backbone.modules().OfType<Backbones.BatchNorm>())
        {
            norm.Frozen = true;
        }

        return rates;
    }
}

namespace UniFace.Training.Optimization;

/// <summary>The parameters to which weight decay applies.</summary>
public enum WeightDecayRule
{
    /// <summary>All parameters, as in the recipes of UniFace and InsightFace.</summary>
    All,

    /// <summary>Only weights with two or more dimensions: no biases, normalization, PReLU slopes or loss thresholds.</summary>
    Weights,
}

/// <summary>Collects the parameters of modules for an optimizer.</summary>
internal static class ParameterGroups
{
    /// <summary>All parameters that require a gradient, in the order of the modules, named "prefix.name".</summary>
    /// <param name="modules">The modules and the prefixes of their parameter names.</param>
    /// <param name="rule">Which of them decay.</param>
    public static IReadOnlyList<NamedParameter> Collect(WeightDecayRule rule, params IReadOnlyList<(string Prefix, nn.Module Module)> modules)
    {
        List<NamedParameter> result = [];
        foreach ((string prefix, nn.Module module) in modules)
        {
            foreach ((string name, Parameter value) in module.named_parameters())
            {
                if (value.requires_grad)
                {
                    result.Add(new NamedParameter($"{prefix}.{name}", value, rule == WeightDecayRule.All || value.Dimensions >= 2));
                }
            }
        }

        return result;
    }
}

using TorchSharp.Modules;
using static TorchSharp.torch;

namespace UniFace.Training.Optimization;

/// <summary>Which parameters weight decay pulls to zero.</summary>
public enum WeightDecayRule
{
    /// <summary>Every parameter, as UniFace's and InsightFace's recipes do.</summary>
    All,

    /// <summary>Only weights of two or more dimensions: no bias, no normalisation, no PReLU, no threshold of a loss.</summary>
    Weights,
}

/// <summary>Collects the parameters of modules for an optimizer.</summary>
public static class ParameterGroups
{
    /// <summary>All parameters that take gradients, in the modules' order, named "prefix.name".</summary>
    /// <param name="modules">The modules and the prefixes of their parameters' names.</param>
    /// <param name="rule">Which of them decay.</param>
    public static IReadOnlyList<NamedParameter> Collect(WeightDecayRule rule, params IReadOnlyList<(string Prefix, nn.Module Module)> modules)
    {
        ArgumentNullException.ThrowIfNull(modules);
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

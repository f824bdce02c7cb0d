namespace UniFace.Training.Optimization;

/// <summary>A parameter that an optimizer updates.</summary>
/// <param name="Name">Its full name, as in a checkpoint: "backbone.conv1.weight".</param>
/// <param name="Value">The parameter; owned by its module.</param>
/// <param name="Decays">Whether weight decay applies.</param>
/// <param name="Rate">Its share of the learning rate.</param>
internal sealed record NamedParameter(string Name, Parameter Value, bool Decays, double Rate = 1)
{
    /// <summary>True if each process has other rows of it; false if all have the same values.</summary>
    public bool Sharded { get; init; }
}

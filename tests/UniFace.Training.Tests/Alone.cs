namespace UniFace.Training.Tests;

/// <summary>
/// Torch's random generator and its count of live tensors are the process's: a training whose bits or tensors are
/// compared runs while nothing else does.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}

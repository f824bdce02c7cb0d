using System.Reflection;

namespace UniFace.Training.Tests;

/// <summary>
/// Tests that compare bits or count tensors run while no other test does: torch's random generator and its count of live tensors belong
/// to the process.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class SerialCollection
{
    public const string Name = "serial";
}

/// <summary>A misspelled collection would silently run in parallel with all others.</summary>
public sealed class CollectionNameTests
{
    [Fact]
    public void Every_collection_is_defined()
    {
        Type[] types = typeof(SerialCollection).Assembly.GetTypes();
        string?[] defined = [.. types.Select(t => t.GetCustomAttribute<CollectionDefinitionAttribute>()?.Name)];
        Assert.All(types.Select(t => t.GetCustomAttribute<CollectionAttribute>()?.Name).OfType<string>(), name => Assert.Contains(name, defined));
    }
}

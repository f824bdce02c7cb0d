using System.Text.Json;

namespace UniFace.AspNetCore.Tests.Hosting;

/// <summary>The recognition service needs no training code: nothing that it loads or ships comes from TorchSharp.</summary>
public sealed class DependencyTests
{
    [Fact]
    public void The_service_ships_neither_training_nor_libtorch()
    {
        using JsonDocument dependencies = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "UniFace.AspNetCore.Host.deps.json")));
        string[] libraries = [.. dependencies.RootElement.GetProperty("libraries").EnumerateObject().Select(library => library.Name)];
        Assert.Contains(libraries, name => name.StartsWith("UniFace.AspNetCore/", StringComparison.Ordinal));
        Assert.DoesNotContain(libraries, IsTraining);
        Assert.DoesNotContain(Directory.GetFiles(AppContext.BaseDirectory, "*", SearchOption.AllDirectories).Select(Path.GetFileName), IsTraining!);
    }

    private static bool IsTraining(string name) =>
        new[] { "UniFace.Training", "UniFace.Studio", "torch" }.Any(word => name.Contains(word, StringComparison.OrdinalIgnoreCase));
}

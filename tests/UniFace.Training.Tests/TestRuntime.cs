using System.Runtime.CompilerServices;
using UniFace.Training.Backbones;
using UniFace.Training.Losses;
using UniFace.Training.Runtime;

namespace UniFace.Training.Tests;

/// <summary>Configures libtorch before the first test uses it, as programs do at their start.</summary>
internal static class TestRuntime
{
    /// <summary>The losses of the library, without those that a test registers.</summary>
    public static IReadOnlyList<LossInfo> Losses { get; private set; } = [];

    /// <summary>The backbones of the library, without those that a test registers.</summary>
    public static IReadOnlyList<string> Backbones { get; private set; } = [];

#pragma warning disable CA2255 // A test project is a program.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Initialize()
    {
        TorchRuntime.Configure();
        Losses = LossRegistry.All;
        Backbones = BackboneRegistry.Names;
    }
}

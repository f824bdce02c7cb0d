using System.Runtime.CompilerServices;
using UniFace.Training.Runtime;

namespace UniFace.Training.Tests;

/// <summary>Configures libtorch before the first test uses it, as programs do at their start.</summary>
internal static class TestRuntime
{
#pragma warning disable CA2255 // A test project is a program.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Initialize() => TorchRuntime.Configure();
}

using System.Runtime.CompilerServices;
using UniFace.Gallery.Shards;

namespace UniFace.Gallery.Tests.Shards;

/// <summary>Makes the test program the process of a sharded gallery when it is started as one, as the tool is.</summary>
internal static class ShardHost
{
#pragma warning disable CA2255 // The entry point of a test program is generated.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Run()
    {
        if (Environment.GetCommandLineArgs() is [_, ShardWorker.Argument])
        {
            ShardWorker.RunAsync(Console.OpenStandardInput(), Console.OpenStandardOutput()).GetAwaiter().GetResult();
            Environment.Exit(0);
        }
    }
}

using System.Runtime.CompilerServices;

namespace UniFace.AspNetCore.Tests.Support;

/// <summary>
/// Starts the thread pool with more threads than processors. ONNX Runtime and the disk block its threads, it adds new ones slowly, and Kestrel refuses a
/// request of which nothing is read for five seconds.
/// </summary>
internal static class TestThreads
{
#pragma warning disable CA2255 // A test project is a program.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Initialize() => ThreadPool.SetMinThreads(32, 32);
}

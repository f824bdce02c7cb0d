using UniFace.AspNetCore;

namespace UniFace.Studio.Tests;

/// <summary>Starts a service with UniFace Studio, whose runs are in the server's folder.</summary>
internal static class StudioServer
{
    /// <summary>Starts it.</summary>
    /// <param name="change">Changes the options before the start.</param>
    /// <param name="model">False: started without a model package.</param>
    public static Task<RunningServer> StartAsync(Func<ServerOptions, ServerOptions>? change = null, bool model = true) =>
        RunningServer.StartAsync(change, model, (services, folder) => services.AddUniFaceStudio(Path.Combine(folder, "runs")));
}

using Microsoft.Extensions.FileProviders;

namespace UniFace.AspNetCore.Hosting;

/// <summary>Endpoints and pages that a host adds to the recognition service. Every registered module is used.</summary>
internal interface IServiceModule
{
    /// <summary>The module's pages. They replace pages of the service that have the same path.</summary>
    IFileProvider Pages { get; }

    /// <summary>Maps the module's endpoints below /v1.</summary>
    void Map(RouteGroupBuilder v1);
}

using Microsoft.Extensions.Options;

namespace UniFace.AspNetCore.Hosting;

/// <summary>
/// Adds endpoints to an application that throw if a parameter cannot be read, so that the answer can name it. The framework's own answer is empty, except in
/// development; its option holds for all endpoints of the application.
/// </summary>
internal sealed class BindingErrors(IEndpointRouteBuilder application) : IEndpointRouteBuilder, IServiceProvider
{
    private static readonly IOptions<RouteHandlerOptions> Throwing =
        Microsoft.Extensions.Options.Options.Create(new RouteHandlerOptions { ThrowOnBadRequest = true });

    /// <inheritdoc/>
    public IServiceProvider ServiceProvider => this;

    /// <inheritdoc/>
    public ICollection<EndpointDataSource> DataSources => application.DataSources;

    /// <inheritdoc/>
    public IApplicationBuilder CreateApplicationBuilder() => application.CreateApplicationBuilder();

    /// <inheritdoc/>
    public object? GetService(Type serviceType) =>
        serviceType == typeof(IOptions<RouteHandlerOptions>) ? Throwing : application.ServiceProvider.GetService(serviceType);
}

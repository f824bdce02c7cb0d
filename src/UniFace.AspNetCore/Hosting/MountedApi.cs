using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Json;
using UniFace.AspNetCore.Endpoints;

namespace UniFace.AspNetCore.Hosting;

/// <summary>
/// The recognition API in an application of a user: what the service does in its pipeline for all requests is done here for each endpoint, so that
/// the application's own endpoints stay as they are.
/// </summary>
internal static class MountedApi
{
    /// <summary>Counts how often the API is mapped.</summary>
    internal sealed class Mounts
    {
        private int count;

        /// <summary>Counts one; true for the first.</summary>
        public bool AddFirst() => Interlocked.Increment(ref count) == 1;
    }

    /// <summary>Opens model and gallery when the application starts.</summary>
    internal sealed class Opener(IServiceProvider services) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) =>
            Task.Run(() => services.GetRequiredService<RecognizerSlot>(), cancellationToken);

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    /// <summary>Opens the model and the gallery that the options name.</summary>
    /// <exception cref="UniFaceException">One cannot be opened.</exception>
    public static OpenedModel? Open(IServiceProvider services)
    {
        ServerOptions options = services.GetRequiredService<ServerOptions>();
        DataFolder.Create(options.DataFolder);
        return OpenedModel.OpenAsync(options, CancellationToken.None).GetAwaiter().GetResult() ?? throw InstalledModels.NoDefault();
    }

    /// <summary>The JSON of the API, whatever the application uses for its own endpoints.</summary>
    public static RequestJson CreateRequestJson()
    {
        JsonOptions options = new();
        UniFaceServer.ConfigureJson(options);
        return new RequestJson(Microsoft.Extensions.Options.Options.Create(options));
    }

    /// <summary>Adds admission, limits, errors as problem details, and the API's JSON to each endpoint of a group.</summary>
    public static void Guard(RouteGroupBuilder group, IServiceProvider services)
    {
        ServerOptions options = services.GetRequiredService<ServerOptions>();
        JsonSerializerOptions json = services.GetRequiredService<RequestJson>().Options;
        ProblemWriter problems = ActivatorUtilities.CreateInstance<ProblemWriter>(services);
        bool first = services.GetRequiredService<Mounts>().AddFirst();
        group.AddEndpointFilter(async (context, next) => ToResult(await next(context), json, context.HttpContext));
        ((IEndpointConventionBuilder)group).Add(endpoint =>
        {
            RequestDelegate handle = endpoint.RequestDelegate!;
            endpoint.RequestDelegate = async context =>
            {
                context.Response.OnStarting(ForbidCaching, context.Response);
                try
                {
                    await AdmitAsync(context);
                    if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
                    {
                        size.MaxRequestBodySize = options.MaxRequestBytes;
                    }

                    StrictText.EnsureTarget(context);
                    await context.LimitRecognitionAsync(handle);
                }
                catch (Exception e) when (!context.Response.HasStarted)
                {
                    context.Response.Clear();
                    if (!await problems.TryHandleAsync(context, e, context.RequestAborted))
                    {
                        throw;
                    }
                }
            };
        });
        ((IEndpointConventionBuilder)group).Finally(endpoint =>
        {
            // The name of an endpoint is unique in an application.
            foreach (object name in first ? [] : endpoint.Metadata.Where(item => item is IEndpointNameMetadata or IRouteNameMetadata).ToArray())
            {
                endpoint.Metadata.Remove(name);
            }
        });
    }

    // Faces and names must not be cached.
    private static Task ForbidCaching(object response)
    {
        IHeaderDictionary headers = ((HttpResponse)response).Headers;
        headers.CacheControl = headers.CacheControl.Count == 0 ? "no-store" : headers.CacheControl;
        return Task.CompletedTask;
    }

    // An application that authorizes nothing must not give faces to the network.
    private static async Task AdmitAsync(HttpContext context)
    {
        EndpointMetadataCollection? metadata = context.GetEndpoint()?.Metadata;
        bool decided = metadata?.GetMetadata<IAuthorizeData>() is not null || metadata?.GetMetadata<AuthorizationPolicy>() is not null
            || metadata?.GetMetadata<IAllowAnonymous>() is not null
            || (context.RequestServices.GetService<IAuthorizationPolicyProvider>() is { } policies && await policies.GetFallbackPolicyAsync() is not null);
        Caller caller = new(null, Caller.IsLocalRequest(context))
        {
            User = context.User.Identity is { IsAuthenticated: true } user ? user.Name ?? "unnamed" : null,
        };
        context.Features.Set(caller);
        if (!decided && (!caller.IsLocal || AccessControl.IsCrossSite(context.Request)))
        {
            throw new ProblemException(
                Status403Forbidden,
                "this application admits requests to the recognition API from its own machine only: require authorization for the API " +
                "(RequireAuthorization), or admit everybody (AllowAnonymous)");
        }
    }

    private static object? ToResult(object? result, JsonSerializerOptions json, HttpContext context)
    {
        if (result is Created<PeopleEndpoints.EnrollAnswer> created)
        {
            context.Response.Headers.Location = context.Request.PathBase + context.Request.Path + "/" + Uri.EscapeDataString(created.Value!.Person);
            return TypedResults.Json(created.Value, json, statusCode: Status201Created);
        }

        return result is null or IResult ? result : Results.Json(result, json);
    }
}

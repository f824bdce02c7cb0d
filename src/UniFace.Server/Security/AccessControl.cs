using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace UniFace.Server.Security;

/// <summary>
/// Lets a request through to an endpoint that asks for a scope: with a key that has it, or, at this machine, without one. What a
/// browser sends without a key must come from this service's own pages: no other site may use a person's browser to write here.
/// </summary>
internal sealed class AccessControl(RequestDelegate next, ServerOptions options, ApiKeyStore keys, Refusals refusals, TimeProvider time)
{
    public async Task InvokeAsync(HttpContext context)
    {
        string? route = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText;
        if (context.GetEndpoint() is not Endpoint endpoint || RequiredScope.Of(endpoint.Metadata, route, context.Request.Method) is not Scope scope)
        {
            await next(context);
            return;
        }

        Caller? known = null; // by its key, which the logs name of a refused request, too
        try
        {
            Caller caller = Caller.Of(context, keys);
            context.Features.Set(known = caller.Key is null ? null : caller);
            Admit(context, caller, scope);
            context.Features.Set(caller);
        }
        catch (ServerProblemException e)
        {
            await refusals.AddAsync(known?.Name ?? "anonymous", route, e.Status, context.RequestAborted);
            throw;
        }

        await next(context);
    }

    private void Admit(HttpContext context, Caller caller, Scope scope)
    {
        if (caller.Key is ApiKey key)
        {
            if (key.WhyRefused(time.GetUtcNow()) is string refused)
            {
                throw new ServerProblemException(StatusCodes.Status401Unauthorized, refused + "; 'uniface serve keys create' makes another");
            }

            if (key.May(scope))
            {
                return;
            }

            throw new ServerProblemException(StatusCodes.Status403Forbidden, $"the API key may not do this: it takes the scope {ScopeName(scope)}");
        }

        if (!caller.IsLocal || options.RequireKey)
        {
            throw new ServerProblemException(StatusCodes.Status401Unauthorized, $"this takes an API key of the scope {ScopeName(scope)}, in the header 'Authorization: Bearer KEY'; 'uniface serve keys create' makes one");
        }

        if (FromElsewhere(context.Request))
        {
            throw new ServerProblemException(StatusCodes.Status403Forbidden, "the request comes from a page of another site");
        }
    }

    // Browsers say where a request comes from; programs do not.
    private static bool FromElsewhere(HttpRequest request)
    {
        string site = request.Headers["Sec-Fetch-Site"].ToString();
        string origin = request.Headers.Origin.ToString();
        return (site.Length > 0 && site is not ("same-origin" or "none"))
            || (origin.Length > 0 && !string.Equals(origin, $"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase));
    }

    private static string ScopeName(Scope scope) => scope switch { Scope.Read => "read", Scope.Enrol => "enrol", _ => "admin" };
}

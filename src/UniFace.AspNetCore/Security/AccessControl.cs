namespace UniFace.AspNetCore.Security;

/// <summary>
/// Admits a request to an endpoint that requires a scope: with a key that has it, or from this machine without a key. A browser's request without a key
/// must come from the service's own pages, so that no other site can act through a visitor's browser.
/// </summary>
internal sealed class AccessControl(RequestDelegate next, ServerOptions options, ApiKeyStore keys, RefusalAuditor refusals, TimeProvider time)
{
    public async Task InvokeAsync(HttpContext context)
    {
        string? route = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText;
        if (context.GetEndpoint() is not Endpoint endpoint || RequiredScope.Find(endpoint.Metadata, route, context.Request.Method) is not Scope scope)
        {
            await next(context);
            return;
        }

        Caller? known = null; // named in the logs even if the request is refused
        try
        {
            Caller caller = Caller.Identify(context, keys);
            context.Features.Set(known = caller.Key is null ? null : caller);
            Admit(context, caller, scope);
            context.Features.Set(caller);
        }
        catch (ProblemException e)
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
                throw new ProblemException(Status401Unauthorized, refused + "; 'uniface serve keys create' makes another");
            }

            if (!key.Has(scope))
            {
                throw new ProblemException(Status403Forbidden, $"the API key does not have the scope {scope.Name()}");
            }
        }
        else if (!caller.IsLocal || options.RequireKey)
        {
            throw new ProblemException(
                Status401Unauthorized,
                $"this requires an API key of the scope {scope.Name()}, in the header 'Authorization: Bearer KEY'; 'uniface serve keys create' makes one");
        }
        else if (IsCrossSite(context.Request))
        {
            throw new ProblemException(Status403Forbidden, "the request comes from a page of another site");
        }
    }

    // Browsers send these headers; programs do not.
    internal static bool IsCrossSite(HttpRequest request)
    {
        string site = request.Headers["Sec-Fetch-Site"].ToString();
        string origin = request.Headers.Origin.ToString();
        return (site.Length > 0 && site is not ("same-origin" or "none"))
            || (origin.Length > 0 && !string.Equals(origin, $"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase));
    }
}

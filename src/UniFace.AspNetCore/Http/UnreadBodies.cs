namespace UniFace.AspNetCore.Http;

/// <summary>
/// Sends "Connection: close" when a chunked body is refused. Kestrel closes the connection if the rest is too large; without the header, the client would
/// send its next request into it.
/// </summary>
internal static class UnreadBodies
{
    public static void UseUnreadBodies(this IApplicationBuilder app) => app.Use((context, next) =>
    {
        if (context.Request.Headers.TransferEncoding.Count > 0)
        {
            context.Response.OnStarting(() =>
            {
                if (context.Response.StatusCode >= Status400BadRequest)
                {
                    context.Response.Headers.Connection = "close";
                }

                return Task.CompletedTask;
            });
        }

        return next(context);
    });
}

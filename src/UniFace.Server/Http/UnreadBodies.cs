using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace UniFace.Server.Http;

/// <summary>
/// Says that the connection closes where a body of unknown length is refused: its rest may be more than is taken, and then Kestrel closes the
/// connection. Unsaid, the client's next request would go into it and be lost.
/// </summary>
internal static class UnreadBodies
{
    public static void UseUnreadBodies(this IApplicationBuilder app) => app.Use((context, next) =>
    {
        if (context.Request.Headers.TransferEncoding.Count > 0)
        {
            context.Response.OnStarting(() =>
            {
                if (context.Response.StatusCode >= StatusCodes.Status400BadRequest)
                {
                    context.Response.Headers.Connection = "close";
                }

                return Task.CompletedTask;
            });
        }

        return next(context);
    });
}

using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using UniFace.AspNetCore.Http;

namespace UniFace.AspNetCore.Tests.Http;

/// <summary>An error after the start of a response is logged without its message; disconnects are not logged.</summary>
public sealed class RequestLogTests
{
    [Fact]
    public async Task A_response_that_breaks_off_is_logged_without_the_error_message()
    {
        Lines lines = new();
        RequestLog log = new(_ => throw new InvalidDataException("Zenobia is not a number"), lines);
        await log.InvokeAsync(Started());
        string line = Assert.Single(lines.Written);
        Assert.Contains("InvalidDataException", line, StringComparison.Ordinal);
        Assert.DoesNotContain("Zenobia", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_disconnect_is_not_logged()
    {
        Lines lines = new();
        await new RequestLog(_ => throw new OperationCanceledException(), lines).InvokeAsync(Started());
        Assert.Empty(lines.Written);
    }

    [Fact]
    public async Task An_error_before_the_response_is_left_to_the_problem_writer() =>
        await Assert.ThrowsAsync<InvalidDataException>(
            () => new RequestLog(_ => throw new InvalidDataException("x"), new Lines()).InvokeAsync(new DefaultHttpContext()));

    private static DefaultHttpContext Started()
    {
        DefaultHttpContext context = new();
        context.Features.Set<IHttpResponseFeature>(new StartedResponse());
        return context;
    }

    private sealed class StartedResponse : HttpResponseFeature
    {
        public override bool HasStarted => true;
    }

    private sealed class Lines : ILogger<RequestLog>
    {
        public List<string> Written { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Written.Add(formatter(state, exception) + exception);
    }
}

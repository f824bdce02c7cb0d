using System.Reflection;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Primitives;
using UniFace.AspNetCore.Scheduling;
using UniFace.AspNetCore.Security;
using UniFace.Studio.Lab;
using UniFace.Training.Losses;
using UniFace.Training.Losses.Curves;

namespace UniFace.Studio.Endpoints;

/// <summary>/v1/losses: the losses, their curves, and sessions of the margin lab.</summary>
internal static class LossEndpoints
{
    // Limits the curves computed at once; callers take turns.
    private static readonly FairGate Gate = new(2);

    // Query parameters of /curves that are not hyperparameters.
    private static readonly HashSet<string> CurveParameters = new(
        from parameter in ((Delegate)CurvesAsync).Method.GetParameters()
        let query = parameter.GetCustomAttribute<FromQueryAttribute>()
        where query is not null
        select query.Name ?? parameter.Name,
        StringComparer.OrdinalIgnoreCase);

    /// <summary>Every loss.</summary>
    internal sealed record LossList(IReadOnlyList<LossSummary> Losses);

    /// <summary>A loss and its hyperparameters.</summary>
    internal sealed record LossSummary(
        string Name, string Description, string Paper, int MinimumClasses, IReadOnlyList<HyperparameterSummary> Hyperparameters);

    /// <summary>A hyperparameter; minimum and maximum are null unless it is a number.</summary>
    internal sealed record HyperparameterSummary(
        string Name,
        HyperparameterKind Kind,
        string Default,
        string Meaning,
        string Range,
        string Usual,
        double? Minimum,
        double? Maximum,
        IReadOnlyList<string> Choices,
        IReadOnlyList<string> MarginTypes);

    /// <summary>A loss's curves.</summary>
    /// <param name="Loss">Name of the loss, as in /v1/losses.</param>
    /// <param name="Spec">The loss in full, as the command line takes it.</param>
    /// <param name="Hyperparameters">All values, including defaults.</param>
    /// <param name="Options">Settings of the curves.</param>
    /// <param name="Threshold">The threshold b / s as a cosine; null if the loss has none.</param>
    /// <param name="Curves">Points of the curves.</param>
    /// <param name="Boundary">The decision boundary of two classes.</param>
    internal sealed record CurvesAnswer(
        string Loss,
        string Spec,
        IReadOnlyDictionary<string, string> Hyperparameters,
        CurveOptions Options,
        double? Threshold,
        IReadOnlyList<LossCurve> Curves,
        DecisionBoundary Boundary);

    public static void Map(IEndpointRouteBuilder v1)
    {
        RouteGroupBuilder losses = v1.MapGroup("/losses").WithTags("losses");
        losses.MapGet("", List).WithName("losses");
        losses.MapGet("/curves", CurvesAsync).WithName("lossCurves");
        losses.MapGet("/lab", Lab).WithName("lab").DisableRequestTimeout();
    }

    /// <summary>List the losses and their hyperparameters</summary>
    internal static LossList List() => new(
    [
        .. LossRegistry.All.Select(loss => new LossSummary(loss.Name, loss.Description, loss.Paper, loss.MinimumClasses,
        [
            .. loss.Hyperparameters.Select(h => new HyperparameterSummary(
                h.Name, h.Kind, h.Default, h.Meaning, h.Range, h.Typical, Finite(h.Minimum), Finite(h.Maximum), h.Choices, h.MarginTypes)),
        ])),
    ]);

    /// <summary>Compute curves of a loss</summary>
    /// <remarks>
    /// The loss's hyperparameters are query parameters too, by their names in /v1/losses, such as margin=0.4. Curves: target logit, gradient and loss against
    /// the angle to the sample's class center (radians), probability of the correct class against the cosine; and the decision boundary of two classes.
    /// </remarks>
    internal static async Task<CurvesAnswer> CurvesAsync(
        HttpRequest request,
        CancellationToken stop,
        [FromQuery] string loss = "uce",
        [FromQuery] int classes = 10_000,
        [FromQuery] double length = 30,
        [FromQuery(Name = "other-cosine")] double otherCosine = 0,
        [FromQuery] int points = 181,
        [FromQuery(Name = "centers-apart")] double centersApart = Math.PI / 2,
        [FromQuery] int bits = 64)
    {
        Dictionary<string, string> given = [];
        foreach ((string name, StringValues values) in request.Query.Where(q => !CurveParameters.Contains(q.Key)))
        {
            given[name] = values is [string value] ? value : throw new UniFaceException($"{name} is given {values.Count} times; give it once.");
        }

        Loss chosen = LossRegistry.Create(loss, given);
        CurveOptions options =
            new() { Classes = classes, Length = length, OtherCosine = otherCosine, Points = points, CentersApart = centersApart, Bits = bits };
        options.Validate(JsonNamingPolicy.KebabCaseLower.ConvertName);
        using IDisposable place = await Gate.EnterAsync(Caller.GetFairShare(request.HttpContext), (double)classes * points, stop);
        LossCurves curves = LossCurves.Compute(chosen, options);
        return new CurvesAnswer(
            chosen.Name, chosen.ToString(), chosen.Values.ToDictionary(), options, Finite(curves.Threshold), curves.Curves, curves.Boundary);
    }

    /// <summary>Learn ten classes of synthetic data in two or three dimensions, as server-sent events</summary>
    /// <remarks>One session per client: a new one ends the previous one.</remarks>
    /// <param name="loss" example="[&quot;softmax&quot;,&quot;uce(margin=0.3)&quot;]">One or two losses, each in full.</param>
    /// <param name="dimensions">Embedding size, 2 or 3.</param>
    /// <param name="steps">Optimizer steps, 1 to 2000.</param>
    /// <param name="seed">Seed of the data, the initial weights and the batches.</param>
    internal static ServerSentEventsResult<LabFrame> Lab(
        HttpContext context,
        LabSessions sessions,
        [FromQuery] string[] loss,
        [FromQuery] int dimensions = 2,
        [FromQuery] int steps = 600,
        [FromQuery] long seed = 1)
    {
        if (loss.Length is 0 or > 2)
        {
            throw new UniFaceException($"{loss.Length} losses are given; expected one or two, e.g. loss=softmax&loss=uce(margin=0.3).");
        }

        LabSession session = new(
            [.. loss.Select(Loss.Parse)],
            (int)InRange(dimensions, 2, 3),
            (int)InRange(steps, 1, 2000),
            InRange(seed, 0, int.MaxValue));
        string client = $"{context.Features.Get<Caller>()?.Name} {context.Connection.RemoteIpAddress}"; // clients of a proxy share its address
        return TypedResults.ServerSentEvents(sessions.Run(session, client, context.RequestAborted));
    }

    private static long InRange(long value, long minimum, long maximum, [CallerArgumentExpression(nameof(value))] string name = "") =>
        value >= minimum && value <= maximum ? value : throw new UniFaceException($"{name} = {value} is out of range: expected {minimum} to {maximum}.");

    private static double? Finite(double? value) => value is double number && double.IsFinite(number) ? number : null;
}

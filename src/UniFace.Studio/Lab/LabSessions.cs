namespace UniFace.Studio.Lab;

/// <summary>
/// Running sessions: one per client, whose newer session ends its older one, and a few in total. A session ends when its client disconnects.
/// </summary>
internal sealed class LabSessions : IDisposable
{
    private const int MaxSessions = 4, StepsPerFrame = 6;
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(40), MaxWait = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim places = new(MaxSessions);
    private readonly Dictionary<string, CancellationTokenSource> clients = new(StringComparer.Ordinal);
    private readonly Lock gate = new();

    /// <summary>Number of running sessions.</summary>
    public int Running => MaxSessions - places.CurrentCount;

    /// <summary>Runs a session and returns its frames, starting with the state before the first step.</summary>
    /// <param name="session">The session.</param>
    /// <param name="client">Identifies the client.</param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="ProblemException">Too many sessions are running.</exception>
    public async IAsyncEnumerable<LabFrame> Run(LabSession session, string client, [EnumeratorCancellation] CancellationToken stop)
    {
        using CancellationTokenSource own = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Register(client, own);
        try
        {
            if (!await places.WaitAsync(MaxWait, stop))
            {
                throw new ProblemException(Status503ServiceUnavailable, $"{MaxSessions} sessions are already running; try again in a few seconds");
            }

            try
            {
                await foreach (LabFrame frame in Frames(session, own.Token))
                {
                    yield return frame;
                }
            }
            finally
            {
                places.Release();
            }
        }
        finally
        {
            Unregister(client, own);
        }
    }

    public void Dispose() => places.Dispose();

    private static async IAsyncEnumerable<LabFrame> Frames(LabSession session, [EnumeratorCancellation] CancellationToken stop)
    {
        List<EmbeddingTrainer> trainers = [];
        try
        {
            trainers.AddRange(session.Losses.Select(loss => new EmbeddingTrainer(loss, session.Dimensions, session.Steps, session.Seed)));
            while (!stop.IsCancellationRequested)
            {
                int step = trainers[0].Step;
                yield return new LabFrame(step, session.Steps, TenClasses.Labels, [.. trainers.Select(t => t.Observe())]);
                if (step == session.Steps)
                {
                    yield break;
                }

                Task pace = Task.Delay(Pace, CancellationToken.None);
                await Task.Run(() => Train(trainers, Math.Min(session.Steps, step + StepsPerFrame), stop), CancellationToken.None);
                await pace;
            }
        }
        finally
        {
            trainers.ForEach(t => t.Dispose());
        }
    }

    private static void Train(List<EmbeddingTrainer> trainers, int until, CancellationToken stop)
    {
        foreach (EmbeddingTrainer trainer in trainers)
        {
            while (trainer.Step < until && !stop.IsCancellationRequested)
            {
                trainer.Train();
            }
        }
    }

    private void Register(string client, CancellationTokenSource own)
    {
        lock (gate)
        {
            clients.GetValueOrDefault(client)?.Cancel();
            clients[client] = own;
        }
    }

    private void Unregister(string client, CancellationTokenSource own)
    {
        lock (gate)
        {
            if (clients.GetValueOrDefault(client) == own)
            {
                clients.Remove(client);
            }
        }
    }
}

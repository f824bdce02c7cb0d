using System.Threading.RateLimiting;

namespace UniFace.AspNetCore.Scheduling;

/// <summary>
/// Places for requests in progress, with a rate limiter per caller: one caller gets at most three quarters, so the next caller always finds a place.
/// </summary>
/// <param name="places">Number of places.</param>
internal sealed class FairPlaces(int places)
{
    private readonly Lock gate = new();
    private readonly int places = places;
    private int taken;

    /// <summary>Creates the limiter of a caller.</summary>
    public RateLimiter NewCaller() => new CallerLimiter(this);

    private sealed class CallerLimiter(FairPlaces all) : RateLimiter
    {
        private int own;

        public override TimeSpan? IdleDuration => own == 0 ? TimeSpan.MaxValue : null;

        public override RateLimiterStatistics? GetStatistics() => null;

        protected override RateLimitLease AttemptAcquireCore(int permitCount)
        {
            lock (all.gate)
            {
                bool acquired = FairQueue<int>.IsFair(own, all.taken, all.places);
                if (acquired)
                {
                    own++;
                    all.taken++;
                }

                return new Lease(this, acquired);
            }
        }

        protected override ValueTask<RateLimitLease> AcquireAsyncCore(int permitCount, CancellationToken cancellationToken) =>
            new(AttemptAcquireCore(permitCount));

        private void Release()
        {
            lock (all.gate)
            {
                own--;
                all.taken--;
            }
        }

        private sealed class Lease(CallerLimiter caller, bool acquired) : RateLimitLease
        {
            private int held = acquired ? 1 : 0;

            public override bool IsAcquired => acquired;

            public override IEnumerable<string> MetadataNames => [];

            public override bool TryGetMetadata(string metadataName, out object? metadata)
            {
                metadata = null;
                return false;
            }

            protected override void Dispose(bool disposing)
            {
                if (Interlocked.Exchange(ref held, 0) == 1)
                {
                    caller.Release();
                }

                base.Dispose(disposing);
            }
        }
    }
}

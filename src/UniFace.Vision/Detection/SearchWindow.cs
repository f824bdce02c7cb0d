namespace UniFace.Vision.Detection;

/// <summary>A square of the photo that a detector searches: center and side in pixels.</summary>
internal readonly record struct SearchWindow(double X, double Y, double Side)
{
    /// <summary>The square around the whole photo, with its side multiplied.</summary>
    public static SearchWindow Whole(int width, int height, double zoom = 1) => new((width - 1) / 2.0, (height - 1) / 2.0, Math.Max(width, height) * zoom);

    /// <summary>Tiles of a half, a quarter, ... of the longer side. Neighbors overlap by half: one tile holds all of a small face.</summary>
    /// <param name="width">Of the photo.</param>
    /// <param name="height">Of the photo.</param>
    /// <param name="levels">The number of sizes.</param>
    /// <param name="smallest">The smallest side of a tile.</param>
    public static IEnumerable<SearchWindow> Tiles(int width, int height, int levels, int smallest)
    {
        double longest = Math.Max(width, height);
        for (int level = 1; level <= levels && longest / (1 << level) >= smallest; level++)
        {
            double side = longest / (1 << level);
            int columns = Steps(width, side), rows = Steps(height, side);
            for (int row = 0; row < rows; row++)
            {
                for (int column = 0; column < columns; column++)
                {
                    yield return new SearchWindow(Place(column, columns, width, side), Place(row, rows, height, side), side);
                }
            }
        }

        static int Steps(double length, double side) => length <= side ? 1 : (int)Math.Ceiling(((length - side) / (side / 2)) - 1e-9) + 1;

        // Tiles are spread evenly from edge to edge; a single tile is centered.
        static double Place(int step, int steps, double length, double side) =>
            steps == 1 ? (length - 1) / 2 : -0.5 + (side / 2) + (step * (length - side) / (steps - 1));
    }

    /// <summary>The transform to a square of that many pixels, with the photo turned around the center by an angle in radians.</summary>
    public SimilarityTransform To(int size, double angle = 0)
    {
        double middle = (size - 1) / 2.0;
        return SimilarityTransform.About(size / Side, angle, (X, Y), (middle, middle));
    }

    /// <summary>False for a face that is cut by an edge of the window inside the photo; another window holds all of it.</summary>
    public bool Contains(BlazeFace face, int photoWidth, int photoHeight)
    {
        double half = Side / 2, slack = 0.01 * Side;
        FaceBox box = face.Box;
        return (X - half < 0.5 || box.X >= X - half - slack)
            && (Y - half < 0.5 || box.Y >= Y - half - slack)
            && (X + half > photoWidth - 1.5 || box.X + box.Width <= X + half + slack)
            && (Y + half > photoHeight - 1.5 || box.Y + box.Height <= Y + half + slack);
    }
}

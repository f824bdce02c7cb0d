namespace UniFace.Vision.Detection;
internal static class FaceMeshLandmarks {
    public static FaceLandmarks ToFive(Point[] p) => new(Mid(p[33],p[133]), Mid(p[362],p[263]), p[4], p[61], p[291]);
    private static Point Mid(Point a, Point b) => new((a.X+b.X)/2,(a.Y+b.Y)/2);
}

// The whole pane; v_px: pixel of the pane, origin top left.

uniform vec2 u_pane;

out vec2 v_px;

void main()
{
    v_px = cx_corner(gl_VertexID) * u_pane;
    gl_Position = cx_pane_to_clip(v_px, u_pane);
}
